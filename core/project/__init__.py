"""A project: the one thing somebody studies, with its documents, instruction, models, arms, questions and checks.

    values.py    what a project holds; instruction.py: the text every arm reads
    projects.py  the projects of this machine: create, duplicate, rename, delete, change; bundled ones are read-only
    bundled.py   the projects that come with the repository (models/*/project.toml)
    tables.py    what a project holds as rows of a table, and back
    sets.py      question sets;  file.py: one file that takes a project along
    migrate.py   the state of versions without projects, carried over

Knows the store; knows no screen, runs no model and searches nothing.
"""

from core.project.instruction import Example, Instruction
from core.project.values import Check, FreeText, Model, Project, Scene, Suggestion

__all__ = ["Check", "Example", "FreeText", "Instruction", "Model", "Project", "Scene", "Suggestion"]
