"""Connections to Postgres: how they are made, what holds in them, and what their errors mean."""
