/** Words that no shell reads in another way. */
const PLAIN = /^[A-Za-z0-9_./:,+-]+$/;

const word = (argument: string): string => {
  if (argument.includes("\0")) throw new TypeError("an argument cannot hold a NUL");
  return PLAIN.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
};

/**
 * argv as one line for the shell at the other end, which ssh cannot do without: each element arrives as it is, in any
 * POSIX shell. What is no whole Unicode text arrives repaired. Throws on NUL and on nothing to run.
 */
export function shellLine(argv: readonly string[]): string {
  if (argv.length === 0) throw new TypeError("there is no command");
  return argv.map(word).join(" ");
}
