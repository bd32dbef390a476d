"""Files that jobs write and read besides structures: arrays, latents and statistics, complete or not at all."""
