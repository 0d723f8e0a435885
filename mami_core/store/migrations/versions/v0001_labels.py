"""Labels that people give to units, and every version of them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _columns() -> list[sa.Column]:
    return [
        sa.Column("dissection", sa.String(255), nullable=False),
        sa.Column("layer", sa.String(255), nullable=False),
        sa.Column("unit", sa.Integer, nullable=False),
        sa.Column("reviewer", sa.String(255), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("captioner", sa.String(255)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
    ]


def upgrade() -> None:
    key = ("dissection", "layer", "unit", "reviewer")
    op.create_table("labels", *_columns(), sa.PrimaryKeyConstraint(*key, name="labels_key"))
    op.create_table("label_history", *_columns(), sa.PrimaryKeyConstraint(*key, "version", name="label_history_key"))


def downgrade() -> None:
    op.drop_table("label_history")
    op.drop_table("labels")
