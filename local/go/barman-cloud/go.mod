module golive.local/barman-cloud

go 1.26.0

// Only its files are read (the CRD of ObjectStore); nothing of it is built.
require github.com/cloudnative-pg/plugin-barman-cloud v0.15.0
