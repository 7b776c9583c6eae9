module affirm-worker/tests/cluster/pause

go 1.24.0
