"""`compare_methods`: PCA, an image-space VAE and matvae side by side on held-out structures."""
