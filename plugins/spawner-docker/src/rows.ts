import { constants } from "node:os";
import { httpUrl, type Row } from "@elara/sdk";
import type Docker from "dockerode";
import { LABEL } from "./container.ts";
import { type DockerErrorCode, errors } from "./errors.ts";

type State = Docker.ContainerInspectInfo["State"];

/** How long the entry point of an image may take to find that its command is missing. */
const AT_ONCE_MS = 10_000;

/** Where a running server listens: its published port, else its own address. */
export function urlOf(info: Docker.ContainerInfo, engineHost: string): string | undefined {
  const port = Number(info.Labels[LABEL.port]);
  const published = info.Ports.find(
    (each) => each.PrivatePort === port && each.PublicPort && !each.IP?.includes(":"),
  );
  if (published) {
    const host = published.IP === "0.0.0.0" ? engineHost : published.IP;
    return httpUrl(host, published.PublicPort);
  }
  if (info.HostConfig.NetworkMode === "host") return httpUrl(engineHost, port);
  const address = Object.values(info.NetworkSettings.Networks).find((each) => each.IPAddress)?.IPAddress;
  return address && httpUrl(address, port);
}

/** Why a container is not running any more; absent for an end that needs no name. */
export function causeOf(state: State): DockerErrorCode | undefined {
  const { ExitCode, OOMKilled, Error: word } = state;
  if (isMissingCommand(word)) return "DOCKER_COMMAND_MISSING";
  if (word !== "") return "DOCKER_REFUSED";
  if (OOMKilled && ExitCode !== 0) return "DOCKER_OUT_OF_MEMORY";
  // As shells and init programs of images say it; a server that ran has its own reasons.
  const isAtOnce = Date.parse(state.FinishedAt) - Date.parse(state.StartedAt) <= AT_ONCE_MS;
  return isAtOnce && (ExitCode === 126 || ExitCode === 127) ? "DOCKER_COMMAND_MISSING" : undefined;
}

/** How long an engine may take to hear that the kernel killed for memory. */
const SETTLE_MS = 1_000;

/** Killed a moment ago, and the engine may still learn that it was for memory. */
export const isSettling = ({ ExitCode, OOMKilled, FinishedAt }: State, nowMs: number): boolean => {
  const age = nowMs - Date.parse(FinishedAt);
  return ExitCode === 137 && !OOMKilled && age >= 0 && age < SETTLE_MS;
};

/** Whether these words of an engine mean that the command could not be executed. */
export const isMissingCommand = (word: string): boolean =>
  /exec(utable)?:? .*(not found|no such file|permission denied)|unable to start container process: exec/i.test(
    word,
  );

/** The row of a container that has ended or was never begun. */
export function endedRow(tag: string, state: State): Row {
  const code = causeOf(state);
  const number = state.ExitCode - 128;
  const signal = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  const how = signal === undefined ? `ended with exit code ${state.ExitCode}` : `ended by signal ${signal}`;
  return {
    tag,
    state: "ended",
    reason: code === undefined ? how : errors[code].user,
    end: {
      exitCode: state.ExitCode,
      ...(signal !== undefined && { signal }),
      ...(code !== undefined && { code }),
    },
  };
}

/** The row of a container by the engine's listing alone; undefined where more has to be asked. */
export function listedRow(tag: string, info: Docker.ContainerInfo, engineHost: string): Row | undefined {
  if (info.State === "restarting") return { tag, state: "starting" };
  if (info.State === "removing") return { tag, state: "stopping" };
  if (info.State !== "running" && info.State !== "paused") return undefined;
  const url = urlOf(info, engineHost);
  if (url === undefined) return { tag, state: "starting" };
  return info.State === "running"
    ? { tag, state: "running", url }
    : { tag, state: "suspended", reason: "paused at the engine", url };
}
