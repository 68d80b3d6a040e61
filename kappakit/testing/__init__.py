"""What tests lean on: reference crystals, potentials with exact forces, stages that misbehave."""
