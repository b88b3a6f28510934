/** Bars as one path: rounded lines around the middle, so that silence is a row of dots. */
function pathOf(bars: readonly number[]): string {
  return bars
    .map((bar, index) => {
      const half = Math.max(0.01, bar * 13);
      return `M${index * 4 + 2} ${(16 - half).toFixed(2)}v${(2 * half).toFixed(2)}`;
    })
    .join("");
}

/** How loud a sound is from its start to its end; `played`, 0 to 1, is the part that is drawn as heard. */
export function Waveform({ bars, played }: { bars: readonly number[]; played: number }) {
  const width = bars.length * 4;
  const path = pathOf(bars);
  return (
    <svg className="waveform" viewBox={`0 0 ${width} 32`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path} />
      <svg
        width={`${Math.min(1, Math.max(0, played)) * 100}%`}
        height="100%"
        viewBox={`0 0 ${Math.max(0.001, played) * width} 32`}
        preserveAspectRatio="none"
      >
        <path className="played" d={path} />
      </svg>
    </svg>
  );
}
