"""`benchmark_paper`: the published experiment alongside PCA, in a folder from which it can be resumed."""
