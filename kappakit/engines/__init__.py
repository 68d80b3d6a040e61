"""What is slow, remote or on a GPU, each behind a Protocol of kappakit.ports."""
