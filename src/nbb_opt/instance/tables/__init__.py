"""Tables as files: CSV, Parquet, sheets of a workbook, each read strictly."""
