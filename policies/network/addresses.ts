import { BlockList, isIP } from "node:net";
import { type Tree, textOf, textsOf } from "../manifest.ts";

/** Whether an address is in an `ipBlock`: in its range, and in none of the exceptions. */
export function isInBlock({ cidr, except }: Tree, address: string): boolean {
  return inRange(textOf(cidr) ?? "", address) && !textsOf(except).some((range) => inRange(range, address));
}

/** An address that a block takes, when it is one that hosts have: the first of its range that no exception takes away. */
export function addressIn(block: Tree): string | undefined {
  const [network = ""] = (textOf(block.cidr) ?? "").split("/");
  const candidates = [network, ...(isIP(network) === 4 ? samples : samples6)];
  return candidates.find((address) => isIP(address) !== 0 && isInBlock(block, address));
}

/** Addresses of somebody in the world, and of somebody inside of a network. */
export const samples = ["198.51.100.7", "10.20.30.40", "172.16.5.4", "192.168.7.8", "169.254.169.254"];
export const samples6 = ["2001:db8::7", "fd00::7", "fe80::7"];

function inRange(range: string, address: string): boolean {
  const [network = "", bits = ""] = range.split("/");
  const family = isIP(network);
  if (family === 0 || family !== isIP(address)) return false;
  const list = new BlockList();
  const type = family === 4 ? "ipv4" : "ipv6";
  list.addSubnet(network, Number(bits), type);
  return list.check(address, type);
}
