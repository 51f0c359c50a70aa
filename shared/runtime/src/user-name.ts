const VALID = /^[a-z0-9][a-z0-9._@+-]{0,63}$/;

/** A name as it is compared and stored: NFKC, lower case, no blanks around. */
export const normalName = (name: string): string => name.normalize("NFKC").trim().toLowerCase();

/** Whether a normal name may be a user's: starts with a letter or digit, 64 characters at most, nothing odd. */
export const isValidName = (name: string): boolean => VALID.test(name);
