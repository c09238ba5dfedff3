module golive.local/prometheus-operator

go 1.26.0

// Only its files are read (the CRD of PodMonitor); nothing of it is built.
require github.com/prometheus-operator/prometheus-operator v0.85.0
