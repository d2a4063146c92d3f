"""The `mmvae` command."""
