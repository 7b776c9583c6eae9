"""What a controller does beside the steps: schedules, retention, metrics, and telling how it is."""
