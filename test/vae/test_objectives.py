"""Every objective is the one its paper writes down, term by term."""

from dataclasses import replace

from mmvae_controller.vae.distributions import kl
from mmvae_controller.vae.objective_settings import FUSION_OF, Kind, ObjectiveConfig, Subsets
from mmvae_controller.vae.objectives import objective
import pytest
import torch
from torch.distributions import kl_divergence, Normal

KL_WEIGHT = 0.3
WEIGHTS = {'x': 2.0, 'w': 0.5, 'v': 1.5}
BRANCHES = {n: {'weight': w} for n, w in WEIGHTS.items()}
FUSION = {kind: fusions[0].value for kind, fusions in FUSION_OF.items()}


@pytest.fixture(params=[2, 3])
def modalities(request, two, three):
    return two if request.param == 2 else three


@pytest.fixture
def ask(build, draw, noise, modalities):
    """Return what builds a network for an objective and a batch, with the noise."""

    def asked(kind, **options):
        network = build(modalities, BRANCHES, fusion=FUSION[kind], **options)
        sample = draw(network)
        # As where a command is learnt from: what is shown is not what is to be said.
        targets = {n: v + 0.3 * torch.randn_like(v) for n, v in sample.shown.items()}
        return network, replace(sample, targets=targets), noise(network, 5)

    return asked


def normal(d):
    return Normal(d.mean, (0.5 * d.log_variance).exp())


def reconstruction(network, sample, posterior, noise, counts=None):
    """Return sum of weight * E_q log p, mean over the batch; counts by modality `(B, S)`."""
    decoded = network.decode(posterior.mean + posterior.std * noise[0], list(sample.targets))
    total = 0
    for name, target in sample.targets.items():
        there = torch.ones(5, 2) if counts is None else counts[name]
        found = normal(decoded[name]).log_prob(target).sum(dim=2) * there
        total = total + WEIGHTS[name] * found.sum() / 5
    return total


def prior_divergence(posterior):
    zero = torch.zeros_like(posterior.mean)
    return kl_divergence(normal(posterior), Normal(zero, zero + 1)).sum() / 5


def elbo(network, sample, noise, known, counts=None):
    posterior = network.encode(sample.shown, known)
    return reconstruction(
        network, sample, posterior, noise, counts
    ) - KL_WEIGHT * prior_divergence(posterior)


def alone(known, row):
    only = torch.zeros_like(known)
    only[:, row] = 1
    return only


def subsets(network, sample, which):
    found = [alone(sample.known, row) for row in range(len(network.modalities))]
    return {'alone': found, 'drawn': [sample.known], 'both': [*found, sample.known]}[which]


def loss(network, config, sample, noise):
    return objective(network, config, sample, noise, KL_WEIGHT).loss


def test_the_elbo_is_of_what_is_known_and_says_everything(ask):
    network, sample, noise = ask(Kind.ELBO)
    found = objective(network, ObjectiveConfig(), sample, noise, KL_WEIGHT)
    torch.testing.assert_close(found.loss, -elbo(network, sample, noise, sample.known))
    posterior = network.encode(sample.shown, sample.known)
    torch.testing.assert_close(found.kl, prior_divergence(posterior))


@pytest.mark.parametrize('power', [0.5, 1.0])
def test_each_likelihood_counts_by_its_own_variance_where_that_is_asked_for(ask, power):
    network, sample, noise = ask(Kind.ELBO)
    posterior = network.encode(sample.shown, sample.known)
    expected = KL_WEIGHT * prior_divergence(posterior)
    decoded = network.decode(posterior.at(noise[0]), list(sample.targets))
    for name, target in sample.targets.items():
        p = normal(decoded[name])
        weighted = p.variance**power * p.log_prob(target)
        expected = expected - WEIGHTS[name] * weighted.sum() / 5
    config = ObjectiveConfig(variance_power=power)
    torch.testing.assert_close(loss(network, config, sample, noise), expected)


@pytest.mark.parametrize('reading', ['deterministic', 'sampled'])
def test_the_elbo_of_a_hierarchy_has_the_divergence_of_all_its_latents(ask, reading):
    network, sample, noise = ask(
        Kind.ELBO, hierarchy={'latents': [2, 3], 'hidden': [4], 'reading': reading}
    )
    posterior = network.encode(sample.shown, sample.known)
    latent = posterior.at(noise[0])
    divergence = network.prior.divergence(posterior, latent, noise[1:]).mean()
    expected = KL_WEIGHT * divergence - reconstruction(network, sample, posterior, noise)
    torch.testing.assert_close(loss(network, ObjectiveConfig(), sample, noise), expected)


def test_jmvae_kl_without_alpha_is_the_elbo_of_everything(ask):
    network, sample, noise = ask(Kind.JMVAE_KL)
    everything = replace(sample, known=torch.ones_like(sample.known))
    found = loss(network, ObjectiveConfig(Kind.JMVAE_KL, alpha=0.0), sample, noise)
    torch.testing.assert_close(found, loss(network, ObjectiveConfig(), everything, noise))


@pytest.mark.parametrize('which', list(Subsets))
def test_jmvae_kl_adds_the_divergence_of_the_joint_from_each_subset(ask, which):
    network, sample, noise = ask(Kind.JMVAE_KL)
    sample.known[1] = alone(sample.known, 0)[1]
    everything = torch.ones_like(sample.known)
    joint = normal(network.encoder.complete(sample.shown, everything))
    apart, backwards = 0, 0
    for known in subsets(network, sample, which):
        other = normal(network.encode(sample.shown, known))
        anything = known.amax(dim=(1, 2))[:, None]
        apart = apart + (kl_divergence(joint, other) * anything).sum() / 5
        backwards = backwards + (kl_divergence(other, joint) * anything).sum() / 5
    config = ObjectiveConfig(Kind.JMVAE_KL, alpha=0.7, subsets=which)
    found = loss(network, config, sample, noise) + elbo(network, sample, noise, everything)
    torch.testing.assert_close(found, 0.7 * apart)
    assert abs(found - 0.7 * backwards) > 0.01


@pytest.mark.parametrize('which', list(Subsets))
def test_jmvae_kl_asks_its_second_encoder_alone_about_a_subset(ask, which):
    network, sample, noise = ask(Kind.JMVAE_KL)
    # A row of everything and one of nothing, where a network of both chooses.
    sample.known[0], sample.known[1] = 1, 0
    config = ObjectiveConfig(Kind.JMVAE_KL, alpha=0.7, subsets=which)
    asked = []
    network.encoder.complete.register_forward_hook(lambda *_: asked.append(1))
    found = loss(network, config, sample, noise)
    assert len(asked) == 1
    joint = network.encode(sample.shown, torch.ones_like(sample.known))
    apart = [
        (kl(joint, network.encode(sample.shown, known)).sum(1) * known.amax(dim=(1, 2))).mean()
        for known in subsets(network, sample, which)
    ]
    without = loss(network, replace(config, alpha=0.0), sample, noise)
    torch.testing.assert_close(found, without + 0.7 * sum(apart), atol=1e-6, rtol=1e-6)


def test_jmvae_kl_teaches_both_of_its_encoders_and_the_decoder(ask):
    network, sample, noise = ask(Kind.JMVAE_KL)
    for alpha, taught in ((0.5, True), (0.0, False)):
        network.zero_grad()
        loss(network, ObjectiveConfig(Kind.JMVAE_KL, alpha=alpha), sample, noise).backward()
        for part in (network.encoder.complete, network.shared_out, network.branches_out):
            assert all(torch.any(p.grad != 0) for p in part.parameters())
        for parameter in network.encoder.subset.parameters():
            assert torch.any(parameter.grad != 0) == taught


def test_a_subset_of_nothing_costs_nothing(ask):
    network, sample, noise = ask(Kind.JMVAE_KL)
    sample = replace(sample, known=torch.zeros_like(sample.known))
    config = ObjectiveConfig(Kind.JMVAE_KL, alpha=1.0, subsets=Subsets.DRAWN)
    found = loss(network, config, sample, noise)
    torch.testing.assert_close(found, loss(network, replace(config, alpha=0.0), sample, noise))


@pytest.mark.parametrize('which', list(Subsets))
def test_mvae_is_the_sum_of_elbos_each_of_what_it_was_shown(ask, which):
    network, sample, noise = ask(Kind.MVAE)
    everything = torch.ones_like(sample.known)
    expected = -elbo(network, sample, noise, everything)
    for known in subsets(network, sample, which):
        counts = {m.name: known[:, row] for row, m in enumerate(network.modalities)}
        expected = expected - elbo(network, sample, noise, known, counts)
    config = ObjectiveConfig(Kind.MVAE, subsets=which)
    torch.testing.assert_close(loss(network, config, sample, noise), expected)


@pytest.mark.parametrize('alpha', [0.0, 0.6, 1.0])
def test_mvtcae_is_the_published_sum(ask, alpha):
    network, sample, noise = ask(Kind.MVTCAE)
    count = len(network.modalities)
    everything = torch.ones_like(sample.known)
    posterior = network.encode(sample.shown, everything)
    apart = 0
    for row, modality in enumerate(network.modalities):
        only = network.encoder.each[modality.name](sample.shown, everything[:, row : row + 1])
        apart = apart + kl_divergence(normal(posterior), normal(only)).sum() / 5
    expected = -(count - alpha) / count * reconstruction(network, sample, posterior, noise)
    expected = expected + KL_WEIGHT * (1 - alpha) * prior_divergence(posterior)
    expected = expected + KL_WEIGHT * alpha / count * apart
    config = ObjectiveConfig(Kind.MVTCAE, alpha=alpha)
    found = objective(network, config, sample, noise, KL_WEIGHT)
    torch.testing.assert_close(found.loss, expected)
    torch.testing.assert_close(found.kl, prior_divergence(posterior))


def test_mvtcae_asks_no_expert_that_has_nothing_to_say(ask):
    network, sample, noise = ask(Kind.MVTCAE)
    sample.present['w'][:] = False
    known = torch.ones_like(sample.known)
    known[:, 1] = 0
    posterior = network.encode(sample.shown, known)
    apart = sum(
        kl_divergence(normal(posterior), normal(expert)).sum() / 5
        for row, expert in enumerate(network.encoder.experts(sample.shown, known)[0])
        if row != 1
    )
    count = len(network.modalities)
    counts = {n: torch.full((5, 2), float(n != 'w')) for n in sample.targets}
    own = reconstruction(network, sample, posterior, noise, counts)
    expected = -(count - 0.5) / count * own
    expected = expected + KL_WEIGHT * (0.5 * prior_divergence(posterior) + 0.5 / count * apart)
    found = loss(network, ObjectiveConfig(Kind.MVTCAE, 0.5), sample, noise)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize('config', [ObjectiveConfig(), ObjectiveConfig(Kind.MVAE, 0, 'drawn')])
def test_a_target_that_does_not_count_is_not_asked_for_though_its_place_is_seen(ask, config):
    network, sample, noise = ask(config.kind)
    sample.known[:] = 1
    sample.present['w'][2, 1] = False
    before = loss(network, config, sample, noise)
    sample.targets['w'][2, 1] = float('nan')
    assert loss(network, config, sample, noise) == before


CONFIGS = [
    ObjectiveConfig(),
    *(ObjectiveConfig(k, 0.5, s) for k in (Kind.JMVAE_KL, Kind.MVAE) for s in Subsets),
    ObjectiveConfig(Kind.MVTCAE, 0.5),
]


@pytest.mark.parametrize('config', CONFIGS, ids=lambda c: f'{c.kind}-{c.subsets}')
@pytest.mark.parametrize('junk', [float('nan'), float('inf'), 1e30])
def test_what_the_data_lack_changes_neither_loss_nor_gradient(ask, config, junk):
    results = []
    for filled in (0.0, junk):
        network, sample, noise = ask(config.kind)
        sample.known[2] = 0
        for row, (name, there) in enumerate(sample.present.items()):
            there[row, 1] = there[3] = there[4, 0] = False
            sample.shown[name][~there] = sample.targets[name][~there] = filled
            sample.known[:, row] *= there
        found = loss(network, config, sample, noise)
        found.backward()
        results.append([found, *(p.grad for p in network.parameters() if p.grad is not None)])
    for before, after in zip(*results, strict=True):
        assert torch.all(torch.isfinite(after))
        assert torch.equal(before, after)


@pytest.mark.parametrize('config', CONFIGS, ids=lambda c: f'{c.kind}-{c.subsets}')
def test_a_row_of_which_the_data_have_nothing_costs_nothing(ask, config):
    network, sample, noise = ask(config.kind)
    before = loss(network, config, sample, noise)
    more = {n: torch.cat([v, v[:1]]) for n, v in sample.shown.items()}
    there = {n: torch.cat([p, ~p[:1]]) for n, p in sample.present.items()}
    sample = replace(
        sample, shown=more, present=there,
        targets={n: torch.cat([v, v[:1]]) for n, v in sample.targets.items()},
        known=torch.cat([sample.known, 0 * sample.known[:1]]),
    )  # fmt: skip
    noise = [torch.cat([n, n[:1]]) for n in noise]
    torch.testing.assert_close(loss(network, config, sample, noise) * 6, before * 5)


@pytest.mark.parametrize('config', CONFIGS, ids=lambda c: f'{c.kind}-{c.subsets}')
def test_the_order_in_which_modalities_are_given_does_not_matter(ask, config):
    network, sample, noise = ask(config.kind)
    sample.present['w'][2] = False
    sample.known[2, 1] = 0
    turned = {
        key: dict(reversed(getattr(sample, key).items()))
        for key in ('shown', 'targets', 'present')
    }
    found = loss(network, config, replace(sample, **turned), noise)
    torch.testing.assert_close(found, loss(network, config, sample, noise))
