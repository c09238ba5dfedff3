/** Of the guard's Deployment, ServiceAccount and Role, and the label `component` of its pods. */
export const guardName = "guard";
