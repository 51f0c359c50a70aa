/** Whether this can be the name of an account: it becomes part of paths and commands, nothing in it may lead elsewhere. */
export const isAccount = (name: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}$/.test(name);
