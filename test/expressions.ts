import { globSync, readFileSync } from "node:fs";
import ts from "typescript";

/** A regular expression of src/, and where it stands. */
export interface Expression {
  readonly place: string;
  readonly pattern: RegExp;
}

/** Stands for what is only known at run time: a node's name, a name of /proc. */
const UNKNOWN = "name";

/** Every regular expression under a folder, by the compiler's own parser: a new one is among them by itself. */
export function expressionsIn(folder: string): readonly Expression[] {
  return globSync(`${folder}/**/*.ts`)
    .sort()
    .flatMap((path) => {
      const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
      const found: Expression[] = [];
      const visit = (node: ts.Node): void => {
        const pattern = patternOf(node, source);
        const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
        if (pattern !== null) found.push({ place: `${path}:${line}`, pattern });
        ts.forEachChild(node, visit);
      };
      visit(source);
      return found;
    });
}

function patternOf(node: ts.Node, source: ts.SourceFile): RegExp | null {
  if (ts.isRegularExpressionLiteral(node)) {
    const end = node.text.lastIndexOf("/");
    return new RegExp(node.text.slice(1, end), node.text.slice(end + 1));
  }
  const isMade =
    (ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === "RegExp";
  if (!isMade) return null;
  const [pattern, flags] = node.arguments ?? [];
  return new RegExp(textOf(pattern, source), flags === undefined ? "" : textOf(flags, source));
}

/** What a string expression gives, as far as its file tells. */
function textOf(node: ts.Node | undefined, source: ts.SourceFile): string {
  if (node === undefined) return UNKNOWN;
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    return (
      node.head.text +
      node.templateSpans.map(({ expression, literal }) => textOf(expression, source) + literal.text).join("")
    );
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    return textOf(node.left, source) + textOf(node.right, source);
  }
  if (ts.isIdentifier(node)) {
    const value = constants(source).get(node.text);
    return value === undefined ? UNKNOWN : textOf(value, source);
  }
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    const { expression: list, name } = node.expression;
    if (name.text === "join" && ts.isArrayLiteralExpression(list)) {
      return list.elements.map((element) => textOf(element, source)).join(textOf(node.arguments[0], source));
    }
  }
  return UNKNOWN;
}

function constants(source: ts.SourceFile): ReadonlyMap<string, ts.Expression> {
  const found = new Map<string, ts.Expression>();
  source.forEachChild((statement) => {
    if (!ts.isVariableStatement(statement)) return;
    for (const { name, initializer } of statement.declarationList.declarations) {
      if (initializer !== undefined) found.set(name.getText(), initializer);
    }
  });
  return found;
}
