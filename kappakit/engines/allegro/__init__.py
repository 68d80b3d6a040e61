"""Allegro by nequip and nequip-allegro: configurations, training, storage, compiled evaluation, batched relaxation."""
