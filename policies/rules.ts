import { networkRules } from "./network/rules.ts";
import { podSecurity } from "./pod-security/standards.ts";
import { productRules } from "./product.ts";
import type { Rule } from "./rule.ts";

/** Every rule of the pack, by folder. */
export const rules: readonly Rule[] = [...networkRules, ...podSecurity, ...productRules];
