"""Tends Bitaxes (AxeOS firmware): reads them, and moves them between voltages and frequencies within hard limits."""
