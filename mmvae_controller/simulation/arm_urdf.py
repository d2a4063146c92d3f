"""The URDF of a simulated arm: with a finger on it, and its meshes where they are found."""

from __future__ import annotations

import copy
from pathlib import Path
import xml.etree.ElementTree as ElementTree

from mmvae_controller.modality.shared_files import share_of
from mmvae_controller.simulation.arm_file import ArmDescription, Drawn, Finger
from mmvae_controller.simulation.errors import SimulationError

FINGER = 'mmvae_finger'
FINGERTIP = 'mmvae_fingertip'
FINGER_RADIUS_M = 0.012
FINGERTIP_RADIUS_M = 0.02
FINGER_MASS_KG = 0.05
PACKAGE_SCHEME, FILE_SCHEME = 'package://', 'file://'


def urdf_with_finger(arm: ArmDescription) -> str:
    """Return the arm's URDF with its finger, its meshes by absolute path, as it is drawn.

    Raises:
        SimulationError: It is no URDF, or has no such link or mesh.

    """
    try:
        root = ElementTree.parse(arm.urdf).getroot()
    except (ElementTree.ParseError, OSError) as error:
        raise SimulationError(f'{arm.urdf}: cannot be read as a URDF: {error}') from error
    links = [link.get('name', '') for link in root.iter('link')]
    if arm.finger.link not in links:
        raise SimulationError(
            f'{arm.path}: finger: link is {arm.finger.link!r}, expected one of {arm.urdf}: '
            f'{", ".join(links) or "none; is it a xacro file?"}'
        )
    for mesh in root.iter('mesh'):
        mesh.set('filename', str(_mesh(mesh.get('filename', ''), arm.urdf)))
    if arm.drawn is Drawn.COLLISION:
        for link in root.iter('link'):
            _draw_collision(link)
    _add_finger(root, arm.finger)
    return ElementTree.tostring(root, encoding='unicode')


def _mesh(name: str, urdf: Path) -> Path:
    """Return where a mesh lies.

    One of a package may lie in that package, or in a copy of it around the URDF, with or without
    the package's name.
    """
    if not name.startswith(PACKAGE_SCHEME):
        # An absolute path stays one.
        return urdf.parent / name.removeprefix(FILE_SCHEME)
    package, _, inside = name.removeprefix(PACKAGE_SCHEME).partition('/')
    places = [folder / package / inside for folder in urdf.parents]
    places += [folder / inside for folder in urdf.parents]
    installed = share_of(package)
    places += [installed / inside] if installed else []
    for place in places:
        if place.is_file():
            return place
    raise SimulationError(
        f'{urdf}: mesh {name} is neither in a folder above it nor in an installed package '
        f'{package!r}'
    )


def _draw_collision(link: ElementTree.Element) -> None:
    """Let a link look like what it collides with, in the colour that it had."""
    shapes, looks = link.findall('collision'), link.findall('visual')
    if not (shapes and looks):
        return
    material = looks[0].find('material')
    for look in looks:
        link.remove(look)
    for shape in shapes:
        look = ElementTree.SubElement(link, 'visual')
        parts = [shape.find('origin'), shape.find('geometry'), material]
        look.extend(copy.deepcopy(part) for part in parts if part is not None)


def _add_finger(root: ElementTree.Element, finger: Finger) -> None:
    _add_fixed_link(
        root,
        finger.link,
        FINGER,
        f'0 0 {finger.from_m + finger.length_m / 2}',
        f'<cylinder radius="{FINGER_RADIUS_M}" length="{finger.length_m}"/>',
        '0.2 0.2 0.2 1',
        finger.length_m,
    )
    _add_fixed_link(
        root,
        FINGER,
        FINGERTIP,
        f'0 0 {finger.length_m / 2}',
        f'<sphere radius="{FINGERTIP_RADIUS_M}"/>',
        '0.1 0.1 0.8 1',
        finger.length_m,
    )


def _add_fixed_link(
    root: ElementTree.Element,
    parent: str,
    name: str,
    xyz: str,
    shape: str,
    rgba: str,
    length_m: float,
) -> None:
    inertia = FINGER_MASS_KG * length_m**2 / 12
    root.append(
        ElementTree.fromstring(
            f'<link name="{name}"><inertial><mass value="{FINGER_MASS_KG}"/>'
            f'<inertia ixx="{inertia}" iyy="{inertia}" izz="{inertia}" ixy="0" ixz="0" iyz="0"/>'
            f'</inertial><visual><geometry>{shape}</geometry><material name="{name}_colour">'
            f'<color rgba="{rgba}"/></material></visual>'
            f'<collision><geometry>{shape}</geometry></collision></link>'
        )
    )
    root.append(
        ElementTree.fromstring(
            f'<joint name="{name}_joint" type="fixed"><parent link="{parent}"/>'
            f'<child link="{name}"/><origin xyz="{xyz}"/></joint>'
        )
    )
