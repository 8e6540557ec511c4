"""The limit: pyarrow decodes every row group, page checksums verified, and drops it."""

from concurrent.futures import ThreadPoolExecutor

KIND, LIBRARY = "limit", "pyarrow"


def start(case, options):
    import pyarrow.parquet as pq

    def run(path):
        def share(number):
            opened = pq.ParquetFile(path, page_checksum_verification=True)
            groups = range(number, opened.metadata.num_row_groups, options.threads)
            return sum(opened.read_row_group(i, use_threads=False).num_rows for i in groups)

        with ThreadPoolExecutor(options.threads) as pool:
            return sum(pool.map(share, range(options.threads)))

    run(case["small"])
    return lambda: run(case["path"])
