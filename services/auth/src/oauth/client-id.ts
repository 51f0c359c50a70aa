/** Python's `urllib.parse.quote`, which JupyterHub makes client ids with: letters, digits, `_.-~/` stay. */
export const quote = (text: string): string =>
  [...new TextEncoder().encode(text)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9_.~/-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");

/** OAuth client id of a user's server, which is also the name of its cookie: `jupyterhub-user-ada`, `jupyterhub-user-ada-lab2`. */
export const serverClientId = (user: string, server: string): string =>
  `jupyterhub-user-${quote(user)}${server === "" ? "" : `-${quote(server)}`}`;
