-- The datasets that would count for the same if the one were gone that counts in their place. Called by datasets delete.
select datasets.id, datasets.filename from datasets
where key in (
    select old.dataset_key
    from coverage this join coverage old on old.superseded_by = this.dataset_key
        and old.year = this.year and old.gender = this.gender
    join coverage another on another.superseded_by = this.dataset_key
        and another.year = this.year and another.gender = this.gender and another.dataset_key <> old.dataset_key
    where this.dataset_key = %(dataset_key)s and this.superseded_by is null)
order by key
