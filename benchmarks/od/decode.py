"""The limit: pyarrow decodes every row group, page checksums verified, and drops it."""

from concurrent.futures import ThreadPoolExecutor

KIND, LIBRARY = "limit", "pyarrow"


def start(case, threads):
    import pyarrow.parquet as pq

    def run(path):
        def share(number):
            opened = pq.ParquetFile(path, page_checksum_verification=True)
            groups = range(number, opened.metadata.num_row_groups, threads)
            return sum(opened.read_row_group(i, use_threads=False).num_rows for i in groups)

        with ThreadPoolExecutor(threads) as pool:
            return sum(pool.map(share, range(threads)))

    run(case["small"])
    return lambda: run(case["path"])
