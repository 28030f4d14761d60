/** Words that several texts need, by the rules of this language. */
const and = new Intl.ListFormat("en", { type: "conjunction" });

/** "a, b, and c" */
export const list = (items: readonly string[]) => and.format(items);

/** "run" of one, "runs" of several. */
export const plural = (n: number, one: string, several: string) => (n === 1 ? one : several);

const whole = new Intl.NumberFormat("en");
/** 1200 → "1,200" */
export const number = (n: number) => whole.format(n);
