"""An instance as one workbook."""
