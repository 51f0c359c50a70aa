/** The JupyterHub version whose contracts the hub keeps; sent as `X-JupyterHub-Version`. */
export const JUPYTERHUB_VERSION = "6.1.1";
/** The hub's own version. */
export const ELARA_VERSION = "0.1.0";
