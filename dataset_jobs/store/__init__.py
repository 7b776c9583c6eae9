"""What the queue keeps in Postgres: every statement, by whose it is. Use cases stand in `services`."""
