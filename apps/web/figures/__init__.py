"""Figures: pure functions from what selectors give to plotly's JSON (or the 3D viewer's), with units on every axis."""
