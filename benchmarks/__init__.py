"""Benchmarks: a folder a suite, run by `nbb-opt bench` from a checkout; `harness` measures and compares."""
