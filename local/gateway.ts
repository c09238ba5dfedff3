/** The throw-away cluster's Gateway: both listeners are on loopback only. */
export const gateway = {
  host: "127.0.0.1",
  publicPort: 18080,
  internalPort: 18081,
  name: "golive",
  namespace: "gateway",
  section: "public",
  internalSection: "internal",
} as const;
