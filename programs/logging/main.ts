import process from "node:process";
import { keepIndices } from "./indices.ts";
import { keeperSettings } from "./settings.ts";

const log = (line: string) => void process.stdout.write(`${line}\n`);
await keepIndices(await keeperSettings(process.env), log);
