"""Receiving files: to a spool, hashed as they come, before anything is stored or written to the database."""
