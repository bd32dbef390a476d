"""`benchmark_paper`: the published experiment beside PCA, in a folder that can be continued."""
