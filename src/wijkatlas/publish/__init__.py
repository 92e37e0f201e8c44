"""Frames in, files out: downloads, maps, pages and the manifest that vouches for them."""
