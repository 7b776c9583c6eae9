"""Each alert of the chart, provoked once on a real Kubernetes and seen by a real Prometheus: `make alarms-cluster`."""
