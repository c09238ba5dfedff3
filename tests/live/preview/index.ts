// The faults come first: they change what the program declares from here on.
import "./faults.ts";

export * from "../../../index.ts";
