module golive.local/elastic

go 1.26.0

// Only its files are read (the CRDs of the Elastic Stack's operator); nothing of it is built.
require github.com/elastic/cloud-on-k8s/v3 v3.5.0
