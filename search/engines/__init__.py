"""Engines: who trains a study's jobs, and where. They carry messages and decide nothing."""
