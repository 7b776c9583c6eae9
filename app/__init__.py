"""What every program of the installation needs: settings, logs, the database and the storage that they lead to."""
