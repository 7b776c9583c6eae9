-- Did this run commit? Asked by a runner whose connection broke while it committed.
select committed_at is not null as committed from runs where job_id = %(job_id)s and epoch = %(epoch)s
