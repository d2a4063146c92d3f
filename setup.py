"""Install mmvae_controller with colcon (ament_python) or with pip."""

from collections import defaultdict
from glob import iglob
import os
import xml.etree.ElementTree as ElementTree

from setuptools import find_packages, setup

PACKAGE = 'mmvae_controller'
SHARE = f'share/{PACKAGE}'
# What a robot needs of a model; training leaves its state and its logs beside it.
MODEL_FILES = [
    'models/README.md',
    *(
        f'models/{name}'
        for folder in ('*', 'peers/*')
        for name in (
            f'{folder}/model.yaml',
            f'{folder}/peer.yaml',
            f'{folder}/network.onnx',
            f'{folder}/parts.zip',
            f'{folder}/probe.npz',
            f'{folder}/weights.safetensors',
            f'{folder}/sound_running.yaml',
        )
    ),
]


def share_files(*patterns):
    """List files for `data_files`, each in the folder of `SHARE` it has in the source tree."""
    folders = defaultdict(list)
    for pattern in patterns:
        for path in sorted(iglob(pattern, recursive=True)):
            if os.path.isfile(path) and not path.endswith('.pyc'):
                folders[os.path.join(SHARE, os.path.dirname(path))].append(path)
    return sorted(folders.items())


manifest = ElementTree.parse('package.xml').getroot()

setup(
    name=PACKAGE,
    version=manifest.findtext('version'),
    description=' '.join(manifest.findtext('description').split()),
    maintainer=manifest.findtext('maintainer'),
    maintainer_email=manifest.find('maintainer').get('email'),
    license=manifest.findtext('license'),
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (SHARE, ['package.xml', 'plugin.xml']),
        *share_files('launch/*.launch.py', 'config/**', 'docs/*.md', *MODEL_FILES),
    ],
    python_requires='>=3.11',
    install_requires=[
        'matplotlib>=3.6',
        'numpy>=1.26',
        'onnxruntime>=1.17',
        'opencv-python-headless>=4.6',
        'pillow>=9.0',
        'PyYAML>=5.4',
        'rich>=13.0',
        'typer>=0.9',
    ],
    extras_require={
        'train': [
            'onnx>=1.16',
            'onnxscript>=0.5',
            'safetensors>=0.4',
            'scipy>=1.11',
            'tensorboard>=2.15',
            'torch==2.13.0',
        ],
        'recordings': ['rosbags>=0.11'],
        'simulation': ['pybullet>=3.2.5'],
        # colcon runs pytest, and not unittest, only where `test` names it.
        'test': ['pytest'],
        'dev': [
            'hypothesis',
            'import-linter',
            'mypy',
            'PyQt5',
            'pytest',
            'pytest-xdist',
            'ruff',
            'types-PyYAML',
        ],
    },
    zip_safe=False,
    entry_points={
        'console_scripts': [
            f'mmvae = {PACKAGE}.cli.main:main',
            f'controller = {PACKAGE}.nodes.controller:main',
            f'diagnostics = {PACKAGE}.nodes.diagnostics:main',
            f'goals = {PACKAGE}.nodes.goals:main',
            f'simulation = {PACKAGE}.nodes.simulation:main',
            f'tracker = {PACKAGE}.nodes.tracker:main',
            f'rqt_mmvae = {PACKAGE}.rqt.main:main',
        ],
    },
)
