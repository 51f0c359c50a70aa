import { ELARA_VERSION } from "@elara/contracts";
import { Command } from "commander";
import { explain } from "./say.ts";

const program = new Command("elara")
  .description("A hub for Jupyter servers.")
  .version(ELARA_VERSION)
  .showSuggestionAfterError()
  .addHelpText(
    "after",
    `
Start here:
  elara run all                 try it: loopback only, any user name, one password
  elara init                    write elara.config.ts with every option explained
  elara check                   tell what is wrong with the configuration and this machine
  elara run all                 run what elara.config.ts says, in one process
  elara run auth                run one service; several of each may run, over NATS and MongoDB
`,
  );

const withConfig = (command: Command): Command =>
  command
    .option("--config <file>", "configuration file (default: ./elara.config.ts, else trial mode)")
    .option("--data <dir>", "data directory (overrides hub.dataDir)", folder);

const withPorts = (command: Command): Command =>
  withConfig(command)
    .option("--port <number>", "public port (overrides network.port)", wholeNumber("--port"))
    .option(
      "--internal-port <number>",
      "port for the servers' own calls (overrides network.internalPort)",
      wholeNumber("--internal-port"),
    )
    .option("--admin <name>", "trial mode: who is admin (default: the account that starts it)", userName);

function folder(text: string): string {
  if (text.trim() !== "") return text;
  process.stderr.write('elara: --data: is empty; name a folder, "." for this one\n');
  process.exit(2);
}

function userName(text: string): string {
  if (/^[a-z0-9][a-z0-9._@+-]{0,63}$/i.test(text)) return text;
  process.stderr.write(`elara: --admin: "${text}" is no user name (letters, digits and ._@+-)\n`);
  process.exit(2);
}

function days(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 3650) return value;
  process.stderr.write(`elara: --days: "${text}" is no number of days (1 to 3650)\n`);
  process.exit(2);
}

function wholeNumber(option: string) {
  return (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 0 && value <= 65535) return value;
    process.stderr.write(`elara: ${option}: "${text}" is no port number (0 to 65535)\n`);
    process.exit(2);
  };
}

withPorts(program.command("run"))
  .description("run the hub: all services in this process, or the named ones")
  .argument("<services...>", "all, or any of auth, spawn, proxy, culler, web")
  .action(async (services, options) => (await import("./commands/run.ts")).run(services, options));

withPorts(program.command("cluster"))
  .description("run every service as its own process over NATS and MongoDB on this machine")
  .option("--replicas <number>", "how many of auth, spawn and web", wholeNumber("--replicas"), 2)
  .action(async (options) => (await import("./commands/cluster.ts")).cluster(options));

withConfig(program.command("check"))
  .description("check configuration, plugins, secrets and this machine; starts nothing")
  .action(async (options) => (await import("./commands/check.ts")).check(options));

program
  .command("init")
  .description("write a configuration with every option, its default and meaning")
  .argument("[file]", "where to write it", "elara.config.ts")
  .option("--keys [dir]", "make the hub's keys in this data directory instead (default: ./elara-data)")
  .action(async (file, options) => (await import("./commands/init.ts")).init(file, options));

program
  .command("cert")
  .description("write a certificate of your own and its key, to serve over HTTPS")
  .option("--self-signed", "the hub vouches for itself; browsers warn until it is imported there")
  .option("--host <name...>", "host names and addresses it is for (default: localhost and this machine)")
  .option("--out <dir>", "where to write certificate.pem and key.pem", ".")
  .option("--days <number>", "how long it is valid", days, 365)
  .action(async (options) => (await import("./commands/cert.ts")).cert(options));

withConfig(program.command("token"))
  .description("make an API token on a running hub; a user who is let in but unknown is made")
  .argument("<name>", "user the token belongs to")
  .option("--note <text>", "what it is for", "made with elara token")
  .option("--expires-in <seconds>", "lifetime in seconds (default: for ever)")
  .action(async (name, options) => (await import("./commands/token.ts")).token(name, options));

withConfig(program.command("plugins"))
  .description("list the built-in plugins and those the configuration names, with their options")
  .action(async (options) => (await import("./commands/plugins.ts")).plugins(options));

const create = program.command("new").description("write a plugin of your own, with its test");
for (const kind of ["spawner", "authenticator"] as const) {
  const command = create
    .command(kind)
    .argument("<name>", "lower-case letters, digits and hyphens")
    .option("--dir <folder>", "where to write it", ".")
    .description(`write ${kind === "authenticator" ? "an" : "a"} ${kind} in one file, with its test`)
    .action(async (name, options) => (await import("./commands/new.ts")).create(kind, name, options));
  if (kind === "authenticator")
    command.option("--redirect", "one that sends people to a provider (default: one with a form)");
}

withConfig(program.command("nats").description("what the hub's message bus needs").command("config"))
  .description("write the nats-server's configuration for this hub: accounts, JetStream; public keys only")
  .option("--listen <address>", "host:port the server listens on", "127.0.0.1:4222")
  .option("--store <dir>", "folder of the server's own, for what it keeps", "/var/lib/nats")
  .option(
    "--tls-certificate <file>",
    "the server speaks TLS with this PEM file; needed where others reach it",
  )
  .option("--tls-key <file>", "with its private key")
  .option("--out <file>", "write it there (default: standard output)")
  .action(async (options) => (await import("./commands/nats.ts")).natsConfig(options));

program
  .command("hash-password")
  .description("hash a password, typed or piped in, for the configuration of an authenticator with a form")
  .action(async () => (await import("./commands/hash-password.ts")).hashPassword());

program
  .command("test")
  .description("run the tests of a plugin that lies outside the hub's tree")
  .argument("<files...>", "test files")
  .action(async (files) => (await import("./commands/test.ts")).test(files));

try {
  if (process.argv.length <= 2) program.outputHelp();
  else await program.parseAsync();
} catch (error) {
  // What a half-made start left running must not keep the process alive.
  process.stderr.write(explain(error), () => process.exit(1));
}
