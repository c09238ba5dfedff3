import { everywhere } from "../levels.ts";
import { nameOf, namespaceOf, treeOf, treesOf } from "../manifest.ts";
import type { Finding, StackRule, Subject } from "../rule.ts";
import { ofKind } from "../stack.ts";
import { kindOf } from "../subject.ts";

/** Whoever gets rights from this stack is an account of this stack, and its rights can be read here. */
export const bindingsStayInside: StackRule = {
  id: "bindings-stay-inside",
  summary: "A binding gives a role that the stack declares to accounts that the stack declares, and to nobody else.",
  why: "A binding to cluster-admin gives rights that no rule here sees; one to system:authenticated gives them to every pod of the cluster.",
  severity: "critical",
  sources: ["S1-36", "KSV111", "KSV122", "KSV01011", "KSV0123", "kube-linter cluster-admin-role-binding", "CKV_K8S_42"],
  levels: everywhere,
  example: {
    bad: "roleRef: {kind: ClusterRole, name: cluster-admin}\nsubjects: [{kind: Group, name: system:authenticated}]",
    good: "roleRef: {kind: Role, name: guard}\nsubjects: [{kind: ServiceAccount, name: guard, namespace: production}]",
  },
  judgeStack: (subjects) =>
    ofKind(subjects, "RoleBinding", "ClusterRoleBinding").flatMap((subject) =>
      [...roleProblems(subject, subjects), ...accountProblems(subject, subjects)].map((finding) => ({
        subject,
        finding,
      })),
    ),
};

function roleProblems(binding: Subject, subjects: readonly Subject[]): readonly Finding[] {
  const { kind, name } = treeOf(binding.object.roleRef);
  const known = ofKind(subjects, "Role", "ClusterRole").some(
    (role) =>
      kindOf(role) === kind &&
      nameOf(role) === name &&
      (kind === "ClusterRole" || namespaceOf(role) === namespaceOf(binding)),
  );
  return known
    ? []
    : [
        {
          path: "roleRef",
          found: `${kind} ${name}, which the stack does not declare`,
          wanted: "a role of the stack",
          fix: "declare a role with the few rights that are needed",
        },
      ];
}

function accountProblems(binding: Subject, subjects: readonly Subject[]): readonly Finding[] {
  const accounts = ofKind(subjects, "ServiceAccount");
  return treesOf(binding.object.subjects).flatMap(({ kind, name, namespace }, index) => {
    const known =
      kind === "ServiceAccount" &&
      accounts.some((account) => nameOf(account) === name && namespaceOf(account) === namespace);
    return known
      ? []
      : [
          {
            path: `subjects[${index}]`,
            found: `${kind} ${[namespace, name].filter(Boolean).join("/")}, which the stack does not declare`,
            wanted: "a ServiceAccount of the stack",
            fix: "bind the account of the pod that needs it",
          },
        ];
  });
}
