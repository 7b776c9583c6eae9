"""The shared language of the project and its one source of truth: model, store, migrations, storage."""
