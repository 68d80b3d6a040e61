"""CDVAE: a crystal diffusion variational autoencoder, written from its published description in plain torch."""
