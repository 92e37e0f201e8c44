"""Prefect flows: a thin shell around `wijkatlas.edition`, which holds the stages and their order."""
