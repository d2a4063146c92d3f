"""The page of a demo; what is in braces is filled in."""

BESIDE = (
    '<p>Left: the arm. Right: what its camera saw (top) and what the model decoded from its '
    'latent at that moment (bottom).</p>'
)
TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>mmvae demo: {task}</title><style>
body {{ font: 15px/1.45 system-ui, sans-serif }}
body {{ max-width: 62rem; margin: 2rem auto; padding: 0 1rem }}
img {{ max-width: 100% }} table {{ border-collapse: collapse }}
td, th {{ padding: .15rem .8rem .15rem 0; text-align: left }}
figure {{ display: inline-block; margin: 0 1rem 0 0; width: 480px; max-width: 100% }}
.good {{ color: #187a2f }} .bad {{ color: #b3261e }} .large {{ font-size: 2.2rem; margin: 0 }}
</style></head><body>
<h1>{task}</h1>
{rates}
<p>Model <b>{model}</b> (network sha256 {sha}...).</p>
{shown}
<h2>Which sense the command rests on</h2>
<p>Loss of precision of the command, KL(P<sub>command</sub> || P<sub>command</sub> without the
sense): how far the decoded command moves when only that sense is hidden. 0 means that the robot
would do the same without it; the curve of the command is that of the command one step earlier.
A camera that has failed counts by its last pictures, as long as it is predicted.</p>
{importance}
{failures}
{strip}
<h2>Episodes</h2>{outcomes}
<table><tr><th>episode</th><th>seed</th><th>camera</th><th>outcome</th><th>after</th>
<th>fingertip from its goal</th><th>largest command step</th></tr>{rows}</table>
<h2>Control loop</h2>{ticks}
<h2>/diagnostics at the end</h2>
<table><tr><th>part</th><th>level</th><th>message</th></tr>{statuses}</table>
</body></html>
"""
